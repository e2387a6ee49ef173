"""`python -m grader` is the command `grader`."""

from grader.entry import main

main()
