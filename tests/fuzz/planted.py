"""A parser with a fault, which the fuzzer must find: coverage guides it from one byte to the next."""


def check(target: str, data: bytes) -> None:
    """Raise AssertionError for some inputs; the target "memory" takes a gigabyte."""
    if target == "memory":
        bytes(1 << 30)
    if data[:1] == b"b" and data[1:2] == b"u" and data[2:3] == b"g":
        raise AssertionError(f"planted in {target}")
