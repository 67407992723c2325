"""The plan of rotations for people to look at: a picture, and a calendar to subscribe to."""
