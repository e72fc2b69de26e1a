"""Run nsroom as `python -m nsroom`."""

from nsroom.main import main

main()
