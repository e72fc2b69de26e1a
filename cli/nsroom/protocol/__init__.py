"""Engine.IO 4 and Socket.IO 5, pure: frames in, packets and records out."""
