"""Engine.IO 4: sessions and their transports."""
