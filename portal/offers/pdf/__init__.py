"""An offer as a PDF: in one of the patients' languages or in two side by side, kept as it was when it was sent."""

from portal.offers.pdf.document import file_name as file_name
from portal.offers.pdf.document import keep_pdf as keep_pdf
from portal.offers.pdf.document import offer_pdf as offer_pdf
from portal.offers.pdf.document import stored_pdf as stored_pdf
