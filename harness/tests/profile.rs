//! `flopgauge profile` through the real binary, on records that are made here from scripted runs.
