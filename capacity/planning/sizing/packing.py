"""Tasks into instances: first fit, largest task first, over vCPU, memory and places; very many packings at a time."""

from __future__ import annotations

import numpy as np

from capacity.errors import InputError
from capacity.planning.steps import NOISE


def packed(counts: np.ndarray, sizes: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Instances that hold these tasks, by first-fit decreasing: (N,) whole numbers.

    counts  (N, K) tasks of each of K kinds, in N packings of their own
    sizes   (K, D) what one task of each kind takes of each of D resources
    room    (D,) what one instance has

    First fit fills one instance after the other with the largest tasks that still fit, and tasks of a kind are alike.
    So the filling of an instance repeats until a kind runs out, and only those runs are counted: for K kinds a few K,
    however many the tasks. Kinds are taken by their largest share of an instance.
    Raises InputError for a task that does not fit an empty instance, or that takes nothing of it.
    Source: D. S. Johnson, Near-optimal bin packing algorithms, 1973; vectors by their largest component: Kou,
    Markowsky, Multidimensional bin packing algorithms, 1977.

    >>> packed(np.array([[3, 4]]), sizes=np.array([[2.0, 4.0], [1.0, 2.0]]), room=np.array([4.0, 15.0])).tolist()
    [3]
    """
    from capacity.planning.sizing.first_fit import first_fit

    shares = np.asarray(sizes, dtype=float) / np.asarray(room, dtype=float)
    largest = shares.max(axis=1)
    if (largest > 1 + 1e-9).any() or (largest <= 0).any():
        raise InputError("a task fits an empty instance and takes something of it, and one of these does not")
    order = np.argsort(-largest, kind="stable")
    bins = np.zeros(len(counts), dtype=np.int64)
    ordered = np.ascontiguousarray(np.asarray(counts, dtype=np.int64)[:, order])  # in C order always: one compilation
    first_fit(ordered, np.ascontiguousarray(shares[order]), bins)
    return bins


def volume_bound(counts: np.ndarray, sizes: np.ndarray, room: np.ndarray) -> np.ndarray:
    """(N,) instances below which no packing can be: the scarcest resource, filled without a gap.

    It is the value of the packing's linear relaxation, rounded up.

    >>> volume_bound(np.array([[3, 4]]), sizes=np.array([[2.0, 4.0], [1.0, 2.0]]), room=np.array([4.0, 15.0])).tolist()
    [3]
    """
    share = (np.asarray(counts) @ sizes) / room
    return np.ceil(share.max(axis=1) - NOISE).astype(np.int64)
