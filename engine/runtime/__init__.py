"""How processes of one machine start, talk, share frames and end; it knows no message of the stages."""
