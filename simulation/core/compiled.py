"""Two decorators, typed: a scalar kernel, and a compiled loop over kernels.

A kernel is ordinary Python when Python calls it (the reference does) and is compiled when a compiled loop calls it.
Kernels touch only attributes (`p.focus`): a plain object and a record of a structured array both have them.
No fast-math: it may reorder additions, and the two forms must agree bit for bit.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit
from numba.extending import register_jitable

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Mark a scalar function as callable from compiled loops; from Python it stays what it is.

    It is inlined into the loop: passing buffers by value, some sixty machine words, would cost more than the work.
    """
    result: Function = register_jitable(forceinline=True)(function)
    return result


def compiled(function: Function) -> Function:
    """Compile a loop at its first call; the machine code is kept beside the source for the next process.

    A loop must not allocate arrays.
    """
    # No reference counts: loops allocate nothing, and atomic counts on every array cost more than the kernels.
    options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
    return cast(Function, njit(**options)(function))
