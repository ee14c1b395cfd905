"""Runbooks: for each alarm a page for whoever is woken, with commands that can be pasted, and how to undo each.

commands   commands as values, checked against AWS's own model
subject    what a page is about
checks     what to look at first, by the kind of alarm: it only reads
actions    what may be done, by the kind of alarm, and how it is undone
numbers    what stands today, and what it rests on
runbook    the noun `Runbooks`, and the verb
templates  the words; kinds/ has what an alarm of each kind means, and when to escalate
"""

from capacity.monitoring.runbook_pages.runbook import Runbooks, runbooks

__all__ = ["Runbooks", "runbooks"]
