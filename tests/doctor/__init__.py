"""The doctor, and patients with every illness that it knows."""
