public enum LatticeVersion {}
