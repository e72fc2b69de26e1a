"""Engine.IO and Socket.IO, without I/O: frames in, packets and records out."""
