"""Answers measured against labels: figures with intervals, calibration, subgroups. It needs numpy alone."""
