"""The patient's link: her page of an offer, her questions, her decision and her signature."""
