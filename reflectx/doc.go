// Package reflectx reads Go structs for Kivis: it walks their fields ([Walk]),
// takes their tags apart ([ParseTag]), and reaches field values by offset
// ([Pointer]). It is the only package with unsafe in it.
package reflectx
