"""What the exact solutions of the codes share: spike times of piecewise linear neurons."""
