import sqlalchemy as sa
from uuid_utils.compat import uuid7
from portal.core.work import clinic_work
from portal.patients.queries import PatientFilter, list_patients, _ROWS
from portal.patients.models import Patient, PatientTerm
from portal.core.database import current_session, bulk_insert
from sqlalchemy.dialects import postgresql
def test_explain(portal, papatya):
    with clinic_work(portal, papatya.id) as s:
        ids=[uuid7() for _ in range(20000)]
        bulk_insert(Patient, [{"id":i,"patient_no":str(n+10),"first_name":"A","last_name":"B","name_key":"ab","is_active":True} for n,i in enumerate(ids)])
        bulk_insert(PatientTerm, [{"patient_id":i,"term":t} for n,i in enumerate(ids) for t in (f"90532{n:07d}", f"532{n:07d}", f"{n:04d}", "ali")])
        caught=[]
        conn = s.connection()
        def note(c, cur, stmt, params, ctx, many): caught.append((stmt, params))
        sa.event.listen(conn, "before_cursor_execute", note)
        list_patients(PatientFilter(query="0532 0012345"), None)
        sa.event.remove(conn, "before_cursor_execute", note)
        stmt, params = [c for c in caught if "patient_terms" in c[0]][0]
        cur = conn.connection.cursor()
        cur.execute("EXPLAIN ANALYZE " + stmt, params)
        for row in cur.fetchall(): print(row[0])
