"""Program texts; `bioconv.export` fills in the part between the lines <network> and </network>."""
