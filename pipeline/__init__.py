"""What happens, in order: one module or package a stage, the command line, the engine."""
