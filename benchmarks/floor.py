"""The floor of the list page: one SQL statement and the same HTML, with no framework, ORM, wall or login.

Served like the portal, by one granian worker. FLOOR_PAGE names a file with the portal's own page;
its rows are made anew for every request, the rest is sent as it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg

PAGE = Path(os.environ["FLOOR_PAGE"]).read_text()
HEAD, _, REST = PAGE.partition("<tbody>")
TAIL = "</tbody>" + REST.partition("</tbody>")[2]

SQL = """
SELECT p.id, p.patient_no, p.first_name, p.last_name, p.phone_e164, p.city, p.residence_country, p.created_at, r.name
  FROM patients p
  LEFT JOIN referral_sources r ON r.clinic_id = p.clinic_id AND r.id = p.referral_source_id
 WHERE p.clinic_id = %s AND p.archived_at IS NULL
 ORDER BY p.id DESC LIMIT 25
"""
ROW = """
          <tr data-row>
            <td class="row-main">
              <span class="avatar av-{n}" aria-hidden="true">{i}</span>
              <div>
                <a class="row-link" href="/patients/{0}">{2} {3}</a>
                <small>
                  {1}</small>
              </div>
            </td>
            <td data-label="Phone">{4}</td>
            <td data-label="Lives in">{5}, {6}</td>
            <td data-label="Referral source">{8}</td>
            <td data-label="Registered">{7:%d.%m.%Y}</td>
          </tr>"""

connection = psycopg.connect(os.environ["FLOOR_DATABASE"], autocommit=True)


def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer every request with the list page."""
    rows = connection.execute(SQL, [os.environ["FLOOR_CLINIC"]]).fetchall()
    html = HEAD + "<tbody>" + "".join(ROW.format(*row, n=1, i=row[2][0] + row[3][0]) for row in rows) + TAIL
    body = html.encode()
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
