"""What a clinic's figures say, across its modules."""
