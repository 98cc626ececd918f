# `make` alone prints help.
.DEFAULT_GOAL := help
