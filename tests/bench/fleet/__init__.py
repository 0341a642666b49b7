"""What a machine does with cameras and recordings, measured; and many machines, simulated with what was measured."""
