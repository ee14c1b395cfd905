"""What to watch: signals and promises (SLOs) of a service -> alarms, dashboards and runbooks.

signals      the catalogue: each signal with unit, source and meaning
conditions   what an alarm waits for, as values: replayed on minutes, and rendered for every monitor
alarm        the nouns `Alarm` and `Alarms`
"""

from capacity.monitoring.alarm import Alarm, Alarms, Replayed

__all__ = ["Alarm", "Alarms", "Replayed"]
