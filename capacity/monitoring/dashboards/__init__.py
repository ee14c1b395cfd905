"""Dashboards: live metrics beside what was planned, as bodies for CloudWatch, JSON models for Grafana, a template.

parts           what stands on a page, as values, and where on the grid
pages           which parts stand on which page: a service's, and the fleet's
words           the text of a page
naming          names of dashboards
cloudwatch      a page as what PutDashboard takes
grafana         a page as Grafana's JSON model; promql: its questions to Prometheus
cloudformation  all pages as one template
making          the noun `Dashboard`, and the verb
"""

from capacity.monitoring.dashboards.making import Dashboard, dashboard

__all__ = ["Dashboard", "dashboard"]
