"""How hosts reach the volumes of a backend; a driver has one."""
