"""What several codes share: rewriting, scales, grids and layouts."""
