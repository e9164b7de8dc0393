"""The language and the theme a visitor picks: remembered by the browser, and by the account."""
