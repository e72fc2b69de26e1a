"""What went through the server, counted where it costs least."""

from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """Events, and bytes of packets, since the start."""

    events_in: int = 0
    events_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
