"""Checks that the extra of a command is installed."""

from __future__ import annotations

from importlib.util import find_spec

from headwater.errors import DeclarationError


def require_extra(extra: str, module: str) -> None:
    """Raise DeclarationError with the install command if the `module` of an extra is not installed."""
    try:
        is_installed = find_spec(module) is not None
    except ModuleNotFoundError:
        is_installed = False
    if not is_installed:
        raise DeclarationError(
            f"The extra `{extra}` is not installed.",
            where=f"headwater[{extra}]",
            details=f"no module {module}",
            hint=f'pip install "headwater[{extra}]"',
        )
