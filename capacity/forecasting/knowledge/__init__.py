"""What people know that no history says: events, holidays, business drivers, and their own judgement.

calendars   public holidays by country, and tables of holidays as Prophet's users keep them
places      where each occurrence lies on a grid, on people's own clocks
usual       what load would have been: the ordinary weeks around
effects     what events did, learnt from few occurrences
lasting     changes of level that stay
applied     all of these on some series: history without them, and what is put on the paths
knowing     any model, told
telling     what was done, in words
"""

from capacity.config.event import Event
from capacity.forecasting.knowledge.calendars import Holidays
from capacity.forecasting.knowledge.drivers import Scenario
from capacity.forecasting.knowledge.knowing import Knowing, Knowledge

__all__ = ["Event", "Holidays", "Knowing", "Knowledge", "Scenario"]
