"""What the kernel that reads JMeter's CSV shares with its caller: numbers of roles, columns, states and flags."""

from __future__ import annotations

from typing import Final

import numpy as np

# Roles of cells: where a cell of a row is kept until the row is whole. NOTHING is written over and never looked at.
NOTHING: Final = 0
STAMP: Final = 1
ELAPSED: Final = 2
LABEL: Final = 3
CODE: Final = 4
MESSAGE: Final = 5
THREAD: Final = 6
SUCCESS: Final = 7
FAILURE: Final = 8
BYTES: Final = 9
USERS: Final = 10
LATENCY: Final = 11
CONNECT: Final = 12
COUNT: Final = 13
ERRORS: Final = 14
HOST: Final = 15
ROLES: Final = 16

NUMBERS: Final = np.array([STAMP, ELAPSED, BYTES, USERS, LATENCY, CONNECT, COUNT, ERRORS])
TEXT_ROLES: Final = np.array([LABEL, CODE, THREAD, HOST])

# Columns of `out`, int64 each; texts are places in the table of texts, -1 where there is none.
OUT_START: Final = 0  # microseconds
OUT_ELAPSED: Final = 1  # microseconds
OUT_LABEL: Final = 2
OUT_OUTCOME: Final = 3
OUT_GROUP: Final = 4
OUT_HOST: Final = 5
OUT_KIND: Final = 6
OUT_COUNT: Final = 7
OUT_FAILED: Final = 8
OUT_USERS: Final = 9
OUT_LATENCY: Final = 10
OUT_CONNECT: Final = 11
OUT_RECEIVED: Final = 12
OUT_THREAD: Final = 13  # a hash of the thread's whole name
OUT_COLUMNS: Final = 14

# `state`, int64, kept from call to call.
LINE: Final = 0  # lines before `at`
ROWS: Final = 1  # rows read
BAD: Final = 2  # rows that cannot be read
LAST_IS_BAD: Final = 3  # 1 when the row before `at` was such a one
REPEATED: Final = 4  # header lines beyond the first
NO_SUCH_DATE: Final = 5  # date stamps with a month or day the calendar does not have
NEGATIVE: Final = 6  # elapsed times below zero, read as zero
BATCHED: Final = 7  # rows that tell of several requests
WRITING: Final = 8  # which half of the table of threads is written
THREADS: Final = 9  # threads in it
TEXTS: Final = 10  # texts in the table of texts
POOL: Final = 11  # bytes in it
STATE: Final = 12

# `settings`, int64.
SET_DELIMITER: Final = 0
SET_WIDTH: Final = 1  # cells of a row
SET_STAMP: Final = 2  # a STAMP_...
SET_ENDS: Final = 3  # 1: stamps are the ends of samples
SET_TOLERANCE: Final = 4  # microseconds by which a sub-result may stick out of its container
SETTINGS: Final = 5

# `work`, by role: where its cell starts and stops, DOUBLED where its quotes are, its value (a number, or the place of a
# text), and the decimal places that are kept of it (or the style of dates).
WORK: Final = 5

STAMP_NUMBER: Final = 0  # plus the decimal places that make microseconds of it: 3 for milliseconds
STAMP_YEAR_FIRST: Final = 10  # 2026/11/23 09:54:13.902
STAMP_MONTH_FIRST: Final = 11  # 11/23/26 09:54:13

# What is wrong with a row.
WRONG_CELLS: Final = 1
WRONG_STAMP: Final = 2
WRONG_ELAPSED: Final = 3
WRONG_SUCCESS: Final = 4
WRONG_QUOTES: Final = 5
WRONG_END: Final = 6  # a quote that nobody closes

#: Rows a sub-result may stand behind its container: JMeter writes both in one go, but other threads write as well.
WITHIN: Final = 4096

#: Slots of the table of threads: four a thread, so that a look-up seldom needs a second one.
SLOTS: Final = 4 * WITHIN

# What a text is, in `extra`: the role in the low four bits, then whether its quotes are doubled, then of an outcome:
DOUBLED: Final = 16
FAILED: Final = 32
SAID_WHY: Final = 64  # has a failureMessage
WHOLE: Final = 128  # of a transaction: a sum of others
EMBEDDED: Final = 256  # an embedded resource could not be loaded
