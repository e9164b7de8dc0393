"""Security headers of every response (OWASP ASVS 5.0, chapter 3)."""

from __future__ import annotations

from flask import Flask, Response, request

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def configure_headers(app: Flask) -> None:
    """Add the headers; pages are never stored by browsers or proxies, assets are."""
    secure = app.extensions["portal_settings"].secure

    def add(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", CONTENT_POLICY)  # files of patients have a stricter one
        headers["X-Content-Type-Options"] = "nosniff"
        headers.setdefault("Referrer-Policy", "same-origin")  # a patient's link tells no site at all
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if not (request.endpoint or "").endswith("static"):
            headers.setdefault("Cache-Control", "no-store")
        return response

    app.after_request(add)
