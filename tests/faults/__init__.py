"""What the commands on games say and leave behind when their input, disk or store is broken."""
