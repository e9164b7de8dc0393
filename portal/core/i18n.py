"""Languages: the person's own choice, else the visitor's, else the clinic's."""

from __future__ import annotations

from babel import Locale
from babel.support import Translations
from flask import Flask, g, request
from flask_babel import Babel, get_locale, get_translations

LANGUAGES = ("tr", "en")
LANGUAGE_COOKIE = "language"

babel = Babel()


def configure_i18n(app: Flask) -> None:
    """Set up Flask-Babel with the portal's languages and the clinic's time zone."""
    app.config.update(BABEL_DEFAULT_LOCALE="tr", BABEL_TRANSLATION_DIRECTORIES=f"{app.root_path}/translations")
    babel.init_app(app, locale_selector=_choose_language, timezone_selector=_choose_zone)
    # A page asks for a hundred texts; Flask-Babel would look up the request's catalogue for each.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _catalogue().ugettext(text),
        lambda one, many, count: _catalogue().ungettext(one, many, count),
        newstyle=True,
    )


def _catalogue() -> Translations:
    if "catalogue" not in g:
        g.catalogue = get_translations()
    found: Translations = g.catalogue
    return found


def language() -> str:
    """Return the language this page is shown in, one of LANGUAGES."""
    locale = get_locale()
    return locale.language if locale and locale.language in LANGUAGES else LANGUAGES[0]


def other_languages() -> list[tuple[str, str]]:
    """Return the codes and own names of every language of the portal."""
    return [(code, (Locale.parse(code).get_language_name(code) or code).capitalize()) for code in LANGUAGES]


def _choose_language() -> str:
    identity, clinic = g.get("identity"), g.get("clinic")
    for wish in (
        identity.locale if identity else None,
        request.cookies.get(LANGUAGE_COOKIE) if request else None,  # a job has no request
        clinic.default_locale if clinic else None,
    ):
        if wish in LANGUAGES:
            return str(wish)
    return (request.accept_languages.best_match(LANGUAGES) if request else None) or LANGUAGES[0]


def _choose_zone() -> str:
    clinic = g.get("clinic")
    return clinic.timezone if clinic else "Europe/Istanbul"
