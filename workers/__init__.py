"""RQ workers: decide over the stream, run timers, deliver pages. Thin: load, decide, commit, act."""
