"""What a backtest is made of; the verb is in `forecasting/backtests.py`.

rehearsal     cutoffs, and what a model said at each beside what happened
grouping      scored intervals by lead, weekday, hour: on the clock of the people behind the series
calibration   promised and observed shares, and how many independent observations they are worth
comparing     losses over those of seasonal naive
result        `Backtest`: tables, words and pictures
verdicts      all of it in a sentence a series
"""
