"""What differs between two rule sets, in effect: not how it is written, but what is declared, and who is paged."""
