"""What lies in results/: made from measurements, and cheap to remake."""
