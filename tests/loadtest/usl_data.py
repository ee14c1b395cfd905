"""Published data sets of scalability: (concurrency, throughput). Sources and fits: reference loadtest.md 6.3."""

from __future__ import annotations

from typing import Final

Points = tuple[list[float], list[float]]

#: Ray tracer on an SGI Origin 2000: Gunther, "Guerrilla Capacity Planning" (2007), and R's package usl.
RAYTRACER: Final[Points] = (
    [1, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64],
    [20, 78, 130, 170, 190, 200, 210, 230, 260, 280, 310],
)

#: SPEC SDM91 on a SPARCcenter 2000: the same.
SDM91: Final[Points] = ([1, 18, 36, 72, 108, 144, 216], [64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775.0, 1702.2])

#: Cisco benchmark: Schwartz, "Practical Scalability Analysis with the Universal Scalability Law" (2015).
CISCO: Final[Points] = (
    list(range(1, 33)),
    [
        *(955.16, 1878.91, 2688.01, 3548.68, 4315.54, 5130.43, 5931.37, 6531.08, 7219.8, 7867.61, 8278.71, 8646.7),
        *(9047.84, 9426.55, 9645.37, 9897.24, 10097.6, 10240.5, 10532.39, 10798.52, 11151.43, 11518.63, 11806.0),
        *(12089.37, 12075.41, 12177.29, 12211.41, 12158.93, 12155.27, 12118.04, 12140.4, 12074.39),
    ],
)

#: lam 1, sigma and kappa 0.02, without noise.
SYNTHETIC: Final[Points] = ([1, 2, 4, 6, 8, 10], [1, 1.8868, 3.0769, 3.5294, 3.5398, 3.3557])

#: The bounded server of loadtest.md 11: 4 workers of 20 ms behind JMeter, closed steps.
BOUNDED: Final[Points] = (
    [1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48],
    [49.1, 97.3, 141.4, 194.8, 196.2, 195.1, 199.3, 197.1, 195.7, 199.2, 193.3, 191.2],
)
