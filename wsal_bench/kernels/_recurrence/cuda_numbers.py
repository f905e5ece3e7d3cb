"""Numbers with an exponent of their own, for the Triton kernels of the `cuda` backend.

A number is a mantissa in [1, 2), in the precision of the kernel, and an int64 exponent of 2. It is
never too large or too small, so a table can hold exp(C / gamma) itself: where scores would need
a logarithm and exponentials, these are multiplied and added. Rounding is then relative to each
number, however large the score. Zero is a mantissa of 0 with the exponent `LOW`; NaN stays NaN.

In the names of arguments, capitals are known when a kernel is compiled; WIDE: float64.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import triton.language as tl  # type: ignore[import-not-found,import-untyped,unused-ignore]

if TYPE_CHECKING:

    def jit(function: Callable[..., Any]) -> Any:
        """Compiles a function for a GPU when a kernel is first launched."""
else:
    from triton import jit


def jit_without(*names: str) -> Callable[[Callable[..., Any]], Any]:
    """`jit`, but values of the arguments called so make no difference to what is compiled."""
    import triton  # type: ignore[import-not-found,import-untyped,unused-ignore]

    decorator: Callable[[Callable[..., Any]], Any] = triton.jit(do_not_specialize=list(names))
    return decorator


LOW = tl.constexpr(-(2**60))  # below every exponent that a weight can add up to
MOST = tl.constexpr(2.0**46)  # the largest exponent of one weight; 16,000 of them stay above LOW


@jit
def number_of_bits(bits):
    """The float64 whose 64 bits these are: Triton would round a float argument to float32."""
    return bits.to(tl.int64).to(tl.float64, bitcast=True)


@jit
def exponential(power):
    """2 ** power as a number. -inf gives 0, and inf NaN: of a weight it makes no sense."""
    finite = tl.abs(power) < float("inf")
    whole = tl.where(finite, tl.floor(power), 0.0)
    mantissa = tl.where(power == float("inf"), float("nan"), tl.exp2(power - whole))
    exponent = tl.minimum(tl.maximum(whole, -MOST), MOST).to(tl.int64)
    return mantissa.to(power.dtype), tl.where(power == float("-inf"), LOW, exponent)


@jit
def power_of_two(exponent, WIDE: tl.constexpr):  # noqa: N803
    """2 ** exponent as a plain float, for an exponent of at most 0; 0 where it is too small."""
    if WIDE:
        bits = tl.where(exponent < -1022, 0, (exponent + 1023) << 52)
        power = bits.to(tl.float64, bitcast=True)
    else:
        bits = tl.where(exponent < -126, 0, (exponent + 127) << 23)
        power = bits.to(tl.int32).to(tl.float32, bitcast=True)
    return power


@jit
def normalised(value, exponent, WIDE: tl.constexpr):  # noqa: N803
    """The number value * 2 ** exponent; a value is 0, NaN or a normal float above 0."""
    if WIDE:
        bits = value.to(tl.int64, bitcast=True)
        beyond = (bits >> 52) - 1023
        mantissa = ((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000).to(tl.float64, bitcast=True)
    else:
        bits = value.to(tl.int32, bitcast=True)
        beyond = (bits >> 23) - 127
        mantissa = ((bits & 0x007FFFFF) | 0x3F800000).to(tl.float32, bitcast=True)
    positive = value > 0
    return tl.where(positive, mantissa, value), tl.where(positive, exponent + beyond, LOW)


@jit
def plus(
    mantissa,
    exponent,
    other_mantissa,
    other_exponent,
    WIDE: tl.constexpr,  # noqa: N803
):
    """The sum of two numbers."""
    largest = tl.maximum(exponent, other_exponent)
    total = mantissa * power_of_two(exponent - largest, WIDE)
    total += other_mantissa * power_of_two(other_exponent - largest, WIDE)
    return normalised(total, largest, WIDE)


@jit
def quotient(
    mantissa,
    exponent,
    by_mantissa,
    by_exponent,
    WIDE: tl.constexpr,  # noqa: N803
):
    """A number divided by one that is at least as large, as a plain float."""
    return mantissa / by_mantissa * power_of_two(tl.minimum(exponent - by_exponent, 0), WIDE)


@jit
def from_lane_before(values, lane):
    """For each lane what the lane before it holds; the first lane gets its own."""
    return tl.gather(values, tl.maximum(lane - 1, 0), 0)


@jit
def from_lane_after(values, lane, LANES: tl.constexpr):  # noqa: N803
    """For each lane what the lane after it holds; the last lane gets its own."""
    return tl.gather(values, tl.minimum(lane + 1, LANES - 1), 0)
