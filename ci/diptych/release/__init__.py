"""From verified cells to both indexes: what may go out, how it is laid out, and how it is sent."""
