package studio
import _ "github.com/kivisdb/kivis"
