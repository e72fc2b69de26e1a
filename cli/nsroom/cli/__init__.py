"""What commands share: options, the application, signals, stdin, progress and completion."""
