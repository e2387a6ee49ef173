"""The only code that runs beside a student's. It is started by name, never imported by the grader."""
