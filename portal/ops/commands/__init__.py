"""The commands of `flask db`: each calls one piece of portal.ops.schema and says what came of it."""
