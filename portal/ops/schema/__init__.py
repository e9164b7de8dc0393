"""The engine above the revisions: history, state, plan, rehearsal, backup, checks. `portal.ops.commands` speaks to it.

Its own tables stand in the schema ``ops``, made by the runner itself: the history has to exist before the first
revision runs, and must outlive a downgrade to nothing.
"""
