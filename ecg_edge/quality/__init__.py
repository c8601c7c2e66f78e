"""Signal quality: measures of the signal, the rules that they are compared with, the report and the gate."""
