"""What senders post, turned into alerts. Pure: bytes in, values out."""
