"""Treatment offers: lines, totals, statuses, and their way from draft to decision."""
