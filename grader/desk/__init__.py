"""What an instructor exchanges with platforms: submissions in, grades and feedback out, kits for students."""
