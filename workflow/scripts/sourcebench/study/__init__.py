"""The study: the config, checked at the border, and all that follows from it before anything runs.

This is the only room that reads the config, and no other imports it: the rules ask the study, and
hand plain values to the doors.
"""

from sourcebench.study.dependencies import Dependencies
from sourcebench.study.study import Study

__all__ = ["Dependencies", "Study"]
