"""One table of observations as other tools export it: for the suite that every source passes."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from capacity.sources import Files


def console(folder: Path, rows: pd.DataFrame) -> Files:
    """A download of the CloudWatch console that was set to local time; requests as sums, CPU as its own metric."""
    wide = _wide(rows)
    kinds = {"cpu": "ServiceName:{} CpuUtilized Sum 3600", "requests": "ServiceName:{} RequestCount Sum 3600"}
    labels = [kinds[str(metric)].format(service) for service, metric in wide]
    lines = [
        ["Id", *(f"m{number}" for number in range(len(labels)))],
        ["StatusCode", *["Complete"] * len(labels)],
        ["Messages", *[""] * len(labels)],
        ["Full label", *labels],
        ["Label", *(label.split()[1] for label in labels)],
    ]
    sums = wide * [60 * 1024 if metric == "cpu" else 3600 for _, metric in wide]  # CPU units of each minute's samples
    sums.index = pd.DatetimeIndex(sums.index).tz_convert("Europe/Paris").strftime("%Y/%m/%d %H:%M:%S")
    text = "".join(",".join(line) + "\n" for line in lines) + sums.to_csv(header=False)
    (folder / "graph.csv").write_text(text)
    return Files(folder / "graph.csv", timezone="Europe/Paris")


def grafana(folder: Path, rows: pd.DataFrame) -> Files:
    """ "Series joined by time", for Excel."""
    wide = _wide(rows)
    header = ['"Time"', *(f'"{metric} {{service=""{service}""}}"' for service, metric in wide)]
    wide.index = pd.DatetimeIndex(wide.index).as_unit("ms").asi8
    (folder / "grafana.csv").write_text("\ufeffsep=,\r\n" + ",".join(header) + "\r\n" + wide.to_csv(header=False))
    return Files(folder / "grafana.csv")


def answer(folder: Path, rows: pd.DataFrame) -> Files:
    """Two pages of `aws cloudwatch get-metric-data`, newest first."""
    wide = _wide(rows)
    pages, columns = [], {}
    for page, part in (("PartialData", wide.iloc[3:]), ("Complete", wide.iloc[:3])):
        results = []
        for number, (service, metric) in enumerate(wide):
            points = part[service, metric].dropna().iloc[::-1]
            columns[f"m{number}"] = f"{service}:{metric}:mean"
            stamps = [stamp.isoformat() for stamp in points.index]
            results.append(
                {
                    "Id": f"m{number}",
                    "Label": service,
                    "Timestamps": stamps,
                    "Values": points.tolist(),
                    "StatusCode": page,
                }
            )
        pages.append(json.dumps({"MetricDataResults": results}, indent=4))
    (folder / "answer.json").write_text("\n".join(pages))
    return Files(folder, columns=columns)


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    """A row an hour, the hour without a value included; a column a service and metric."""
    wide = rows.pivot_table("value", "timestamp", ["service", "metric"])
    return wide.reindex(pd.date_range(wide.index[0], wide.index[-1], freq="h", unit="us"))
